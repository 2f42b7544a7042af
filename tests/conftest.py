"""What holds for all tests."""

from hypothesis import settings

# The same examples every time, and no time limit for one: machines that build are often busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")
