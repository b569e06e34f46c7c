"""Prompts: beginnings of conversations that people choose from a menu of their host."""
