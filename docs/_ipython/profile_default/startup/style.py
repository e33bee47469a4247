"""The kernel that runs the course: pictures in deltarule's style, with larger letters, as on a screen."""

import matplotlib as mpl

from deltarule.inspection.plots import style

COLORS = [style.BLUE, style.ORANGE, "#009E73", style.GRAY]
LARGER = {"font.size": 10, "axes.titlesize": 10, "figure.titlesize": 10, "lines.linewidth": 2}
mpl.rcParams.update(style.SETTINGS | LARGER)
mpl.rcParams.update({"axes.prop_cycle": mpl.cycler(color=COLORS), "figure.constrained_layout.use": True})
mpl.rcParams.update({"svg.fonttype": "path", "axes.axisbelow": True, "savefig.facecolor": "white"})
