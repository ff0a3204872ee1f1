print("ec2sh")
