"""Training of the networks: crops, augmentation, mining of false alarms, and the loop."""
