"""Who may use the web pages, and how one becomes somebody who may."""
