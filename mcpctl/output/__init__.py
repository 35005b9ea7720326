"""What the user sees: human text through Rich, or one JSON document. Nothing else prints."""
