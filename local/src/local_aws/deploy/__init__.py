"""Deploys the template: packages the code, creates or updates the stack, uploads the weights.

Nothing is translated. CloudFormation is ministack's, with the resource types that it lacks added
here, one module a service.
"""
