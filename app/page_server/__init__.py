"""The app's page server: serves the page, starts live sessions in processes of their own.

``routes`` holds the routes, one topic a file, ``services`` what stands behind them, ``planning``
what a process of its own compiles, ``page`` the page.
"""

__all__ = ["planning", "routes", "running_app", "server", "services"]
