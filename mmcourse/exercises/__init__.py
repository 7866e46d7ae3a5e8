"""Exercises whose checks state laws: a right answer obeys them, a wrong one is told the law it broke and a hint."""

from mmcourse.exercises.checking import check
from mmcourse.exercises.standing import progress

__all__ = ["check", "progress"]
