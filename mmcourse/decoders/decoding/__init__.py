"""Decoding: from a model of the next word to whole sequences, free of any framework.

    greedy          the most probable word at every step
    beam_search     the best few beginnings at every step
    sample          words by chance, with temperature, top-k and top-p;  sampling_probabilities: what it draws from
    log_probability what a model gives to whole sequences, by the chain rule
    PrefixStep      a step function from a function of the whole prefix

All of them ask a step function:  step(words, state) -> (log_probabilities, state).  It has read what the state holds,
reads one more word in each row, (rows,) whole numbers, and says what may come next, (rows, count), each row the
logarithms of probabilities that sum to 1. A state has `take(rows)`, which chooses rows. `first`, (batch,), are the
words to begin with, usually a start token; `end` is the token after which nothing comes.
"""

from mmcourse.decoders.decoding.beam import beam_search
from mmcourse.decoders.decoding.greedy import greedy
from mmcourse.decoders.decoding.prefixes import Prefixes, PrefixStep
from mmcourse.decoders.decoding.result import Decoded
from mmcourse.decoders.decoding.sampling import sample, sampling_probabilities
from mmcourse.decoders.decoding.scoring import log_probability

__all__ = [
    "Decoded",
    "PrefixStep",
    "Prefixes",
    "beam_search",
    "greedy",
    "log_probability",
    "sample",
    "sampling_probabilities",
]
