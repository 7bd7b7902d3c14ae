// What is asked about actions that wait. The frame around the page asks all of it again when votes are told.
import { queryOptions } from "@tanstack/react-query";
import { api, type Schemas, told } from "~/api/client";

export type Standing = Schemas["Approval"]["status"];
export const STANDINGS: Standing[] = ["waiting", "approved", "denied", "expired"];

export const approvalsQuery = (status: Standing) =>
  queryOptions({
    queryKey: ["approvals", { status }],
    queryFn: ({ signal }) =>
      told(api.GET("/api/approvals", { params: { query: { status, limit: 100 } }, signal })),
    refetchInterval: 15_000, // an expiry is told by nobody
  });

export const approvalQuery = (id: string) =>
  queryOptions({
    queryKey: ["approvals", "one", id],
    queryFn: ({ signal }) =>
      told(api.GET("/api/approvals/{approval_id}", { params: { path: { approval_id: id } }, signal })),
  });
