"""Ways of waking a person who has no open app: e-mail, web push, SMS."""
