"""What `import roofline as rl` gives: functions that ask, and answers that show themselves."""
