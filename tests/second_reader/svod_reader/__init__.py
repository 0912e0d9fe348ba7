"""A second reader of Svod packets, written from docs/FORMAT.md alone: it shares no code with the programs.

Python 3.11 and its standard library only. What is proven by it: that the document says all that a reader needs.
"""
