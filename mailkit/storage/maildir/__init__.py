"""Mail in Maildir++ folders: the truth about content, UIDs and flags."""
