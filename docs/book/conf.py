"""How Sphinx builds the book; `make book` (tutor/course/book.py) writes the pages and starts it."""

from importlib.metadata import version as version_of

project = "Layer by Layer"
author = "The Layer by Layer authors"
project_copyright = f"{author}; texts and pictures CC BY 4.0, code MIT"
version = release = version_of("layer-by-layer")
language = "en"

# githubpages: a file without which GitHub Pages shows no folder that begins with _. The last: MathJax beside the pages.
extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx.ext.githubpages", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the chapters come with what their cells have shown
nb_merge_streams = True

html_static_path = ["static"]
html_theme = "furo"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_title = project
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": False}
