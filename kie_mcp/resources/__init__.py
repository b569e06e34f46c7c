"""The saved pictures, the tasks, the models and a guide, as MCP resources."""
