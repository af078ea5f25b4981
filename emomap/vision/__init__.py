"""Parts that several classical methods share: checks of the image, filters, pyramids, features.

It knows arrays and the library's resizing weights, never methods, data sets or stages.
"""
