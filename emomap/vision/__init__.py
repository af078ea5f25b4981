"""Parts that several classical methods share: checks of the image, filters, pyramids, features.

Modules here know arrays; they import neither methods nor stages.
"""
