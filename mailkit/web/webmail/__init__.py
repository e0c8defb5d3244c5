"""The webmail's pages; `mailkit.web.webmail.rooms` tells how to add one."""
