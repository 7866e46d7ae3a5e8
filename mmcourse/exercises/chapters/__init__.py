"""The laws of each chapter's exercises, one module a chapter, found by name."""
