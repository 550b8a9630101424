// What somebody may do with a playlist.

/** "owner", "edit" or "view", for the listener `me`, among those who have joined. */
export function roleOf(me, { owner, collaborative }, members) {
  if (owner.id === me) return "owner";
  const member = members.find(({ user }) => user.id === me);
  return member && collaborative ? "edit" : (member?.role ?? "view");
}

export const mayEdit = (role) => role === "owner" || role === "edit";
