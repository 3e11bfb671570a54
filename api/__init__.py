"""The HTTP API: windows judged at once, and what is stored, for other programs.

`schemas` says what is asked and answered, `detect` judges, `stored` reads PostgreSQL, `health`
tells how it is, `app` puts them together behind the `middleware`, `serve` listens.
"""
