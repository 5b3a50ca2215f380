import { Authenticator, ThemeProvider } from "@aws-amplify/ui-react";
import "@aws-amplify/ui-react/styles.css";
import { useServices } from "../services";
import { PASSWORD_HINT } from "./password";
import "./sign-in.css";

/** The form's types do not know the hint; it hands it to the field, which shows it. */
const NEW_PASSWORD = { isRequired: true, descriptiveText: PASSWORD_HINT };

/** Sign in, sign up, confirm, reset the password. Its own chunk: it is larger than the rest. */
export default function SignIn() {
  const { selfSignUp } = useServices().config;
  return (
    <>
      {!selfSignUp && <p className="muted">An administrator creates accounts.</p>}
      <ThemeProvider theme={{ name: "gen3d" }}>
        <Authenticator
          loginMechanisms={["email"]}
          hideSignUp={!selfSignUp}
          formFields={{
            signIn: { username: { label: "Email", placeholder: "you@example.com" } },
            signUp: {
              email: { label: "Email", placeholder: "you@example.com" },
              password: NEW_PASSWORD,
            },
            forceNewPassword: { password: NEW_PASSWORD },
            confirmResetPassword: { password: NEW_PASSWORD },
          }}
        />
      </ThemeProvider>
    </>
  );
}
