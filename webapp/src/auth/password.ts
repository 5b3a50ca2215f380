/** What the user pool takes for a password, by the PasswordPolicy in template.yaml. */
export const PASSWORD = {
  minLength: 12,
  requireLowercase: true,
  requireUppercase: false,
  requireNumbers: true,
  requireSpecialCharacters: false,
};
