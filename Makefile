# Thin: every task lives in tasks.py, which also runs without make (python3 tasks.py help).
PYTHON ?= python3
TASKS := book test lab grade notebooks experiments bench lock clean help

.DEFAULT_GOAL := help
.PHONY: $(TASKS) lesson repository

$(TASKS):
	@"$(PYTHON)" tasks.py $@ $(ARGS)

lesson:
	@"$(PYTHON)" tasks.py lesson $(NAME)

repository:
	@"$(PYTHON)" tasks.py repository $(URL)
