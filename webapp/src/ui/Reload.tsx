export function Reload() {
  return (
    <button type="button" className="button" onClick={() => window.location.reload()}>
      Reload
    </button>
  );
}
