"""The site that `make docs` makes of the Markdown of this repository, by Sphinx with MyST. A link that leads nowhere ends it."""

project = "koncili-conformance"
html_title = project
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "*.md", "docs/**.md", "benchmarks/README.md", "examples/**README.md", "findings/README.md", "tests/*/README.md",
]  # fmt: skip
exclude_patterns = ["build", "reports", ".venv", "**/node_modules"]
myst_heading_anchors = 4
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
# Mermaid, and quoted lines that are no whole programs, are shown as they stand.
suppress_warnings = ["misc.highlighting_failure"]
