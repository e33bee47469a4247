"""Settings of the kernel that runs the course."""

c = get_config()  # noqa: F821  (IPython gives it)
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None, "Creator": "deltarule"}}
c.InlineBackend.rc = {}
c.InteractiveShell.colors = "NoColor"  # what fails is read in a log
c.InteractiveShell.xmode = "Minimal"
c.Application.log_level = 40
