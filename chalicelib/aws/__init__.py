"""Carriers on AWS: topic, queues, e-mail, SMS, posts to open sockets. They implement `notify.ports`."""
