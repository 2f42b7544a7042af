"""The page of a finished experiment: one offline HTML file that says which differences are real.

``write_report.py`` makes it; templates, style and scripts are in ``page/``.
"""

__all__ = ["html_page", "page_sound", "reported_run", "write_report"]
