"""What a person reads: messages taken apart, judged and made safe to show."""
