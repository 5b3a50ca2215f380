"""SageMaker's asynchronous endpoint: a queue, the inference server, and notifications.

The server is the container's own. It is started by the first request and ended when it has been
idle, as an endpoint scales from and to zero; it is asked `/ping` before it is sent work; it is
given the model's data, variables and role.
"""
