import { Amplify, type AuthConfig, defaultStorage } from "@aws-amplify/core";
import { cognitoUserPoolsTokenProvider } from "aws-amplify/auth/cognito";
import { PASSWORD } from "../auth/password";
import type { AppConfig } from "./config";

/**
 * Tell Amplify where the stack's user pool is. The identity pool is none of the page's: it has no
 * credentials for AWS, as uploads go by signed forms and downloads by signed links. The `Amplify` of
 * its core is therefore told of the user pool alone; that of `aws-amplify` brings both, and what
 * keeps them in cookies.
 */
export function configureAmplify(config: AppConfig): void {
  const { endpoint } = config;
  const Auth: AuthConfig = {
    Cognito: {
      userPoolId: config.userPoolId,
      userPoolClientId: config.userPoolClientId,
      loginWith: { email: true },
      signUpVerificationMethod: "code",
      passwordFormat: PASSWORD,
      ...(endpoint && { userPoolEndpoint: endpoint }),
    },
  };
  cognitoUserPoolsTokenProvider.setAuthConfig(Auth);
  cognitoUserPoolsTokenProvider.setKeyValueStorage(defaultStorage);
  Amplify.configure({ Auth }, { Auth: { tokenProvider: cognitoUserPoolsTokenProvider } });
}
