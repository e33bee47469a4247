"""How sure a share can be: the interval that it lies in, when it was counted in so many trials."""

import math

Z_95 = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """Where a share lies with 95 % confidence, when there were `hits` in so many trials (Wilson 1927); (0, 1) for none.

    Unlike hits / trials plus or minus two standard deviations, it is right near 0 and 1, where good networks are.
    """
    if trials == 0:
        return 0.0, 1.0
    share, z_squared = hits / trials, Z_95**2 / trials
    center = (share + z_squared / 2.0) / (1.0 + z_squared)
    reach = math.sqrt(z_squared * (share * (1.0 - share) + z_squared / 4.0)) / (1.0 + z_squared)
    # The share lies within, and both within 0 and 1; rounding must not say otherwise.
    return max(0.0, min(share, center - reach)), min(1.0, max(share, center + reach))
