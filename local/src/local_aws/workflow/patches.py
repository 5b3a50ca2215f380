"""Puts functions of ours in the place of moto's."""


def patch(owner: object, **replaced: object) -> None:
    """Give a class, a module or an object other functions under the names that they have there.

    Raises
    ------
    AttributeError
        There is none of that name: moto calls it otherwise now, and would never call ours.
    """
    for name, function in replaced.items():
        getattr(owner, name)
        setattr(owner, name, function)
