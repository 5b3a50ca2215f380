"""Values of the template as a person would write them."""


def spelled(value: object) -> str:
    """A value with its intrinsic functions, in a line.

    ``!GetAtt Bucket.Arn`` reads ``Bucket.Arn``, ``!Ref JobsTable`` reads ``JobsTable``, and a text
    keeps its ``${…}``.
    """
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": path}:
            return path if isinstance(path, str) else ".".join(path)
        case {"Fn::Sub": [str(text), dict()]} | {"Fn::Sub": str(text)}:
            return text
        case {"Fn::If": [str(condition), yes, no]}:
            return f"{spelled(yes)} if {condition}, else {spelled(no)}"
        case {"Fn::Join": [str(separator), list(entries)]}:
            return separator.join(map(spelled, entries))
        case dict():
            return ", ".join(f"{key}: {spelled(entry)}" for key, entry in value.items())
        case list():
            return ", ".join(map(spelled, value))
        case _:
            return str(value)
