"""Dynamic time warping with a soft minimum, so that it has a gradient everywhere."""

import torch
from torch import Tensor

from mmcourse.alignment import warping_checks as checks
from mmcourse.alignment.torch.base import full_precision, spec

WHERE = "soft_dtw"


def soft_dtw(costs: Tensor, *, gamma: float) -> Tensor:
    """The soft minimum over all paths of their costs:  -gamma log sum over paths of exp(-cost / gamma).

        R_ij = C_ij + softmin(R_i-1,j-1, R_i-1,j, R_i,j-1),   softmin(a, b, c) = -gamma log(e^(-a/gamma) + …)

    costs: C, (..., n, m), steps (1, 0), (0, 1), (1, 1);  gamma: above 0, in the unit of the costs
    returns (...).  For gamma -> 0 it is the cost of dynamic_time_warping; it is below it, and so may be below zero.
    The gradient by C_ij is the probability that a path drawn with weight exp(-cost / gamma) goes through (i, j).
    PyTorch alone: the gradient is what it is for.  Raises a ModalityError.  Source: Cuturi and Blondel (2017).
    """
    checks.check_costs(spec(costs, "costs", WHERE), WHERE)
    checks.check_gamma(gamma, WHERE)
    checks.check_finite(bool(costs.detach().isfinite().all()), WHERE)
    with full_precision(costs):
        table = costs.float() if costs.dtype in (torch.float16, torch.bfloat16) else costs
        *batch, n, m = table.shape
        # Cells with i + j = d know only those with d - 1 and d - 2: one step a diagonal, all its cells at once, by row.
        far = table.new_full((*batch, n + 1), 1e15)  # what stands outside the table, and weighs nothing
        before, last = torch.cat([table.new_zeros((*batch, 1)), far[..., 1:]], dim=-1), far
        rows = torch.arange(n, device=table.device)
        for d in range(n + m - 1):
            columns = d - rows
            inside = (columns >= 0) & (columns < m)
            cells = table[..., rows, columns.clamp(0, m - 1)]  # (..., n)
            # Both hold R at 1 + i; the zero in the border of the first `before` is where every path begins.
            ways = torch.stack([before[..., :-1], last[..., :-1], last[..., 1:]])
            reached = torch.where(inside, cells - gamma * torch.logsumexp(-ways / gamma, dim=0), far[..., 1:])
            before, last = last, torch.cat([far[..., :1], reached], dim=-1)
        return last[..., -1]
