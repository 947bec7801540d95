"""The sandbox: programs and SQL that a model wrote run in a locked process of their own (`runner.run`, `sql.ask`).

Imports nothing: the locked process passes through here, too, and must start fast.
"""
