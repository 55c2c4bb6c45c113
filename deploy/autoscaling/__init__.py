"""What the chart's autoscaling would do under some traffic, replayed without a cluster."""
