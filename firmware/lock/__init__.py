"""The connector lock: from feedback and requests to one signed bridge command. Entry: lock.actuator."""
