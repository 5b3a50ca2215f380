/** What the user pool takes for a password, by the PasswordPolicy in template.yaml. */
export const PASSWORD = {
  minLength: 12,
  requireLowercase: true,
  requireUppercase: false,
  requireNumbers: true,
  requireSpecialCharacters: false,
};

/** The same, as the form says it. */
export const PASSWORD_HINT = `${PASSWORD.minLength} characters or more, with a lower-case letter and a digit.`;
