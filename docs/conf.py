"""The site, as Sphinx builds it: `make docs`. What is ours alone lives in _ext/."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import deltarule_site

project = "deltarule"
author = "the deltarule authors"
copyright = "the deltarule authors; text and figures under CC BY 4.0, code under MIT"  # noqa: A001  (Sphinx's name)
repository = os.environ.get("DELTARULE_REPOSITORY", "")  # OWNER/NAME at GitHub, where the site is published from

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "deltarule_site.notebooks",
    "deltarule_site.reference",
    "deltarule_site.formulas",
    "deltarule_site.playground",
]
exclude_patterns = ["_ipython", "_ext", "**/.ipynb_checkpoints"]
suppress_warnings = ["mystnb.unknown_mime_type"]

# Notebooks: executed at build. The outputs are kept by the content of the cells and of the package.
os.environ["IPYTHONDIR"] = str(Path(__file__).parent / "_ipython")
nb_execution_mode = "cache"
nb_execution_cache_path = str(deltarule_site.BUILD / f"cells-{deltarule_site.source_digest()}")
nb_execution_show_tb = True  # a cell that fails is a warning, which names it, and warnings are errors
nb_execution_timeout = 300  # seconds for a cell, on a busy machine, too
nb_merge_streams = True
nb_remove_code_outputs = False
nb_mime_priority_overrides = [("html", "image/svg+xml", 10), ("html", "text/markdown", 15)]
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "html_image", "colon_fence", "deflist", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "literal"  # docstrings write `code`
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = "deltarule"
html_static_path = ["_static"]
html_css_files = ["deltarule.css"]
html_copy_source = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_sidebars = {"playground-page": []}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "back_to_top_button": False,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
} | ({"github_url": f"https://github.com/{repository}"} if repository else {})
html_context = {"default_mode": "auto"}
