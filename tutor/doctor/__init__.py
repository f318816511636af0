"""``tutor doctor``: what is wrong with this installation, in plain words, and how to mend it.

Nothing here may need what it looks for: each probe imports for itself what it needs, and an import that fails becomes a
sentence (``command.examine``). A probe takes what it looks at as arguments and yields findings.
"""
