"""What the car and the person hear and say."""
