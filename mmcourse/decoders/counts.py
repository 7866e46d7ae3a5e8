"""Multiply-adds of generation with a Transformer decoder, with and without a cache, by formula.

Counted are the multiplications of kernels and of attention for one sequence, as in mmcourse.encoders.counts.
"""

from mmcourse.checks import check_size

WHERE = "count_generation"


def count_generation(
    words: int,
    *,
    dim: int,
    layers: int,
    count: int,
    hidden_size: int | None = None,
    memory_steps: int = 0,
    memory_dim: int | None = None,
    cached: bool = True,
) -> int:
    """Multiply-adds to generate so many words, one after the other, from a decoder of these options.

    With a cache step t reads one word, and its attention looks at t keys. Without one, step t reads all t words, for
    the logits of the last one, and computes keys and values of the memory again.
        cached:  sum_t  read(1, t) + memory once         uncached:  sum_t  read(t, t) + memory each time
        read(n, t) = n (layers (4 dim^2 + 2 t dim + 2 dim hidden) + dim count),  and with a memory of S steps
                     n layers (2 dim^2 + 2 S dim) more;   memory = 2 S memory_dim dim layers
    The logits of all n words are counted, as `forward` computes them; masked pairs of words are, too.
    memory_steps: S, 0 for none;  raises ShapeError for sizes that cannot be
    """
    for name, size in (("words", words), ("dim", dim), ("layers", layers), ("count", count)):
        check_size(name, size, WHERE)
    hidden = check_size("hidden_size", 4 * dim if hidden_size is None else hidden_size, WHERE)
    memory = 0
    if memory_steps:
        check_size("memory_steps", memory_steps, WHERE)
        memory = 2 * memory_steps * check_size("memory_dim", memory_dim or 0, WHERE) * dim * layers

    def read(new: int, seen: int) -> int:
        layer = 4 * dim**2 + 2 * seen * dim + 2 * dim * hidden
        if memory_steps:
            layer += 2 * dim**2 + 2 * memory_steps * dim
        return new * (layers * layer + dim * count)

    if cached:
        return memory + sum(read(1, t) for t in range(1, words + 1))
    return sum(memory + read(t, t) for t in range(1, words + 1))
