"""AWS as the operator's machine sees it; the only room that knows boto3 and botocore."""
