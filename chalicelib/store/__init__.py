"""Adapters of the ports that the relay defines: DynamoDB and S3, and an in-memory simulator."""
