"""Grading: run a learner's notebook in a process with limits, hold its answers to the official checks, report.

notebook  what can be read from a file            supervise  one notebook: limits, stops, a second start
steps     what is run, what is examined           scores     what each exercise got, in a sentence
child     the process in which learners' code     reports    text, JSON, JUnit, CSV, Markdown
          runs (official, guard: its two fences)  collect    which notebooks: one checkout or many
processes whom to end afterwards                  command    `mmcourse grade`

Grading guards against mistakes and simple tricks: an endless loop, `sys.exit`, a redefined check, a printed score. It
does not guard against a determined attacker: learners' code runs as the user who grades, with that user's rights to
read files and to reach a network. Who grades strangers does so in a container or on a machine of its own.
"""
