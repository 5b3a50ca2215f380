"""Step Functions: ministack keeps the state machines, moto's interpreter runs the executions.

moto's interpreter descends from LocalStack's and knows JSONata, variables, callbacks and Map. What
it lacks is put right here, each fault in one function that says what it was, so that an upgrade of
moto can drop it.
"""
