"""Completion of what a person types into a prompt or a resource template."""
