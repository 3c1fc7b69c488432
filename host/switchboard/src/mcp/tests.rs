//! Stories of the MCP surface, told over loopback.
