"""
What every provider of a seam has to do, as test cases to inherit from.

A provider's tests subclass one together with ``twisted.trial.unittest.TestCase`` and
say how the provider is made; nothing else.
"""
