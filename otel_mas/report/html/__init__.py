"""Answers as HTML: blocks that stand in any page, and a page of their own. Import the modules."""
