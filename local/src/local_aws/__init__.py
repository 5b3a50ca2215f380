"""The stack on one machine: an AWS in one process, to which `template.yaml` is deployed unchanged.

ministack plays the services, moto interprets the state machine, awslambdaric runs the functions,
and the inference server runs as it would on SageMaker. Nothing deployed knows the difference.
"""
